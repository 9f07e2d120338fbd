export const FIRST_NAMES = [
  'Anna',
  'Björn',
  'Carlos',
  'Dilnoza',
  'Émilie',
  'Fatima',
  'Göran',
  'Hiroshi',
  'Ingrid',
  'João',
  'Kairi',
  'Łukasz',
  'María',
  'Nguyễn',
  'Oluwaseun',
  'Pille',
  'Quentin',
  'Rūta',
  'Siobhán',
  'Tomáš',
  'Ülle',
  'Vésteinn',
  'Wei',
  'Ximena',
  'Yasemin',
  'Zoë',
  '太郎',
  '小明',
  'Анна',
  'محمد',
] as const;

export const LAST_NAMES = [
  'Åkesson',
  'Brown',
  'Çelik',
  "D'Angelo",
  'Eriksson',
  'Fernández',
  'García',
  'Håkansson',
  'Ivanova',
  'Jõgi',
  'Kowalski',
  'Lindström',
  'Müller',
  'Nakamura',
  "O'Neill",
  'Pärn',
  'Quispe',
  'Rossi',
  'Sørensen',
  'Tamm',
  'Ünal',
  'van der Berg',
  'Weiß',
  'Xu',
  'Yılmaz',
  'Žukauskas',
  '山田',
  'Петров',
] as const;

export const COMPANY_WORDS = [
  'Nordic',
  'Blue',
  'Acme',
  'Vertex',
  'Käsitöö',
  'Olive',
  'Summit',
  'Río',
  'Pixel',
  'Harbour',
  'Lumen',
  'Fjord',
  'Bright',
  'Cedar',
  'Quartz',
  'Étoile',
] as const;

export const COMPANY_KINDS = [
  'Trading',
  'Logistics',
  'Foods',
  'Software',
  'Apparel',
  'Cosmetics',
  'Outdoor',
  'Bikes',
  'Toys',
  'Electronics',
  'Coffee',
  'Books',
] as const;

export const COMPANY_FORMS = ['OÜ', 'AB', 'GmbH', 'Ltd', 'Inc.', 'S.A.', 'Kft', ''] as const;

export const CITIES = [
  ['Tallinn', 'Estonia', '10615'],
  ['Malmö', 'Sweden', '211 20'],
  ['München', 'Germany', '80331'],
  ['Łódź', 'Poland', '90-001'],
  ['Lisboa', 'Portugal', '1100-148'],
  ['Springfield', 'United States', '62701'],
  ['東京', 'Japan', '100-0001'],
] as const;

export const STREETS = [
  'Mustamäe tee',
  'Storgatan',
  'Hauptstraße',
  'Main St',
  'Rua Áurea',
] as const;

export const SENTENCES = [
  'Asked for a quote last spring; call back in the autumn.',
  'Prefers e-mail. Speaks Estonian, Swedish and a little “business” English.',
  'Zażółć gęślą jaźń – two lines\nin one note.',
  'Met at the fair 🎪, wants a demo.',
  '<b>Not</b> to be called before 10:00 & never on Fridays',
  '',
] as const;

export const ROLES = [
  'Buyer',
  'Head of E-commerce',
  'Owner',
  'Müügijuht',
  'CTO',
  'Support',
] as const;
export const CURRENCIES = ['EUR', 'USD', 'SEK', 'PLN', 'JPY'] as const;
export const ZONES = [
  'Europe/Tallinn',
  'Europe/Stockholm',
  'America/New_York',
  'Asia/Tokyo',
] as const;
